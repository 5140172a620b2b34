"""The results view: `rayocr view OUT` shows, searches and corrects what runs wrote. It starts no Ray."""
