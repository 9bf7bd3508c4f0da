"""Content credentials as data: what a signed clip says, and what a file that was read back says."""
