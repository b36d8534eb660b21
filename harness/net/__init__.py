"""HTTP/1.1 on h11: the one server's end and the one client's end."""

from importlib.util import find_spec

from harness.errors import UsageError

__all__ = ["require_h11"]


def require_h11(what: str, extra: str) -> None:
    """Name the extra to install where the protocol machine is missing.

    Args:
        what: What needs it, such as ``the proxy``.
        extra: The extra that has it.

    Raises:
        UsageError: It is not installed.
    """
    if find_spec("h11") is None:
        raise UsageError(
            f"{what} needs h11; `pip install 'agent-stream-harness[{extra}]'`"
        )
