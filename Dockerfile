# The studio, or any other command of tbd, in a container.
#
#   docker build --target cpu -t tbd:cpu .
#   docker run --rm -p 127.0.0.1:7860:7860 tbd:cpu                              # the studio at http://127.0.0.1:7860
#   docker run --rm -v "$PWD:/work" tbd:cpu generate --portrait me.jpg --audio hello.wav --emotion happy --output a.mp4
#
#   docker build --target cuda -t tbd:cuda .
#   docker run --rm --gpus all -v "$PWD:/work" tbd:cuda fit --config configs/experiment/motion_base.yaml
#
# The CPU image takes PyTorch without CUDA, some 5 GB less, if you name PyTorch's own index of such wheels:
#   docker build --target cpu --build-arg TORCH_INDEX=ADDRESS -t tbd:cpu .

FROM python:3.11-slim-bookworm AS base
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
# OpenCV's libraries, and voices for typed words
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libegl1 libgles2 libglib2.0-0 flite espeak-ng \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 tbd && mkdir /work && chown tbd /work
COPY . /src
WORKDIR /work
EXPOSE 7860
ENTRYPOINT ["tbd"]
CMD ["studio", "--host", "0.0.0.0", "--port", "7860"]

FROM base AS cpu
ARG TORCH_INDEX=""
RUN if [ -n "$TORCH_INDEX" ]; then pip install --no-cache-dir "torch>=2.6" "torchvision>=0.21" --index-url "$TORCH_INDEX"; fi \
    && pip install --no-cache-dir "/src[studio,live]" \
    && rm -rf /src/build
USER 1000

# PyTorch's wheels carry CUDA; the host gives the driver and NVIDIA's container toolkit
FROM base AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN pip install --no-cache-dir "/src[studio,live,slurm]" \
    && rm -rf /src/build
USER 1000
