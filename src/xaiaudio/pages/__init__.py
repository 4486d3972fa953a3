"""The HTML pages that the command line writes."""
