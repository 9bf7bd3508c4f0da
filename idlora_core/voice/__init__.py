"""The reference recording: where it holds speech, which seconds to take, and what they are worth."""
