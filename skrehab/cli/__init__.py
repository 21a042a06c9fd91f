"""The command ``skrehab``."""
