"""The paper's tables, as published: other clips, other models of measuring. They stand beside a study, not in it."""

SOURCE = "arXiv 2603.10256, ID-LoRA; measured by its authors on their clips, with WavLM, Whisper large-v3, ArcFace, SyncNet and CLAP"

TABLE_1 = {
    "title": "Table 1 (ID-LoRA's rows)",
    "columns": ("set", "speaker", "face", "LSE-D", "LSE-C", "CLAP", "WER"),
    "rows": (
        ("CelebV-HQ easy", 0.573, 0.870, 8.20, 4.43, 0.372, 0.106),
        ("CelebV-HQ hard", 0.477, 0.874, 8.49, 3.90, 0.363, 0.113),
        ("TalkVid", 0.599, 0.772, 10.62, 3.09, 0.385, 0.054),
    ),
}
TABLE_5 = {
    "title": "Table 5 (identity scale, CelebV-HQ hard)",
    "columns": ("scale", "speaker", "WER"),
    "rows": (
        (2, 0.459, 0.117),
        (4, 0.477, 0.113),
        (6, 0.477, 0.142),
        (8, 0.481, 0.185),
        (10, 0.485, 0.119),
        (12, 0.482, 0.145),
        (16, 0.470, 0.143),
    ),
}
TABLES = (TABLE_1, TABLE_5)
