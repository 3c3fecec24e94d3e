"""The report: one HTML file that needs nothing else, and is the same for the same result."""

from .page import report_html

__all__ = ["report_html"]
