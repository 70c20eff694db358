"""Never run: its jobs are only asked for."""
