"""What is handed over: figures, and reports as one HTML file or PDF."""
