"""Many clips: a table of them rendered on as many ComfyUI processes as there are, and studies of settings.

    python -m idlora_batch render table.csv --comfyui ComfyUI --out clips
    python -m idlora_batch study questions.toml --comfyui ComfyUI --out study

    table, grid, paths       rows of text
    workflow, inputs, plan   rows -> checked graphs with a key each
    comfy/                   a ComfyUI process or server, seen from outside
    renderer                 one row on one ComfyUI
    pool, on_ray, on_servers rows -> results, with deaths retried
    store, ledger, report    what is left on disk
    study/                   statistics, listening pages

Nothing here is imported by the nodes. Ray, PyArrow and SciPy are imported where they are needed, by `requirements`.
"""
