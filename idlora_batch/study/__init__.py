"""Questions about settings: which clips to render, what the scores say, what listeners say."""
