"""Prints what a video file holds: streams, duration, size. Run by the host's interpreter, which has PyAV."""

import sys
from pathlib import Path

import av
from av.stream import Stream


def report(file: Path) -> str:
    with av.open(str(file)) as container:
        streams = [_stream_text(stream) for stream in container.streams]
        seconds = (container.duration or 0) / av.time_base
    return f"{'; '.join(streams)}; {seconds:.2f} s, {file.stat().st_size / 1024:.0f} KiB"


def _stream_text(stream: Stream) -> str:
    if isinstance(stream, av.VideoStream):
        rate = float(stream.average_rate or 0)
        size = f"{stream.codec_context.width}x{stream.codec_context.height}"
        return f"video {stream.codec_context.name} {size}, {stream.frames} frames at {rate:g} fps"
    if isinstance(stream, av.AudioStream):
        codec = stream.codec_context
        return f"audio {codec.name} {codec.sample_rate} Hz, {codec.layout.nb_channels} channels"
    return str(stream.type)


if __name__ == "__main__":
    print(report(Path(sys.argv[1])))
