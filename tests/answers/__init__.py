"""Made answers of every shape for each API that answers are written in."""
