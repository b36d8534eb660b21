"""Cut every stream every way, and require the same answer of any consumer.

`harness fuzz` on the command line; `check` in a test. What must hold is in
`harness.fuzz.relations`, and `harness.fuzz.judge` judges it; how consumers are fed is
in `harness.fuzz.consumers`, what they returned in `harness.debug.outcomes`, and in
which order things are tried in `harness.fuzz.campaign`.
"""

from harness.fuzz.checking import check, said

__all__ = ["check", "said"]
