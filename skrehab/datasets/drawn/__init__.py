"""People and scenes drawn for the Box-and-Block test and the exercise clips."""
