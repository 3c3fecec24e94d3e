"""Files in, files out: images, tables, results and annotations."""
