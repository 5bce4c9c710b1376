"""A stand-in for other people's programs: a still video of a portrait for as long as a voice lasts. It knows nothing of tbd."""

import argparse
import sys
import time
import wave
from fractions import Fraction


def still(portrait: str, audio: str, video: str) -> None:
    """Write a video without sound of the portrait."""
    import av
    from PIL import Image

    picture = Image.open(portrait).convert("RGB")
    with wave.open(audio) as sound:
        frames = -(-sound.getnframes() * 25 // sound.getframerate())
    with av.open(video, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *picture.size, "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("source", "audio", "out", "say"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--hold", type=int, default=0, help="MB to hold in a child process")
    parser.add_argument("--sleep", type=float, default=0)
    parser.add_argument("--fail-on", default="no clip")
    options = parser.parse_args()
    print("loading", options.say)
    if options.fail_on in options.source:
        print("RuntimeError: out of memory, said the stand-in", file=sys.stderr)
        sys.exit(3)
    if options.hold:
        import subprocess

        code = f"x = bytearray({options.hold} * 2**20); x[::4096] = b'1' * len(x[::4096]); import time; time.sleep(0.6)"
        subprocess.run([sys.executable, "-c", code], check=True)
    time.sleep(options.sleep)
    if options.out:
        still(options.source, options.audio, options.out)


if __name__ == "__main__":
    main()
