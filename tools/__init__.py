"""What makes shipped files: workflows, translations, the documentation's pictures, the example media."""
