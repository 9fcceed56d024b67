"""What the pages read from the views, a file for each subject."""
