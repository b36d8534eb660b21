"""Files: cassettes on disk and the exchanges they hold."""
