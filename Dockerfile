# The service as an image. TORCH_INDEX_URL names an index with CPU wheels of PyTorch; empty: the installer's default.
FROM python:3.11-slim-bookworm

ARG TORCH=torch==2.13.0
ARG TORCH_INDEX_URL=""

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PATH=/opt/venv/bin:$PATH

# libgomp1 is the OpenMP runtime that LightGBM and faiss link to.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 make \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/bowerbird
COPY pyproject.toml README.md LICENSE Makefile ./
COPY app app
COPY bandit bandit
COPY core core
COPY configs configs
COPY feedback feedback
COPY ranking ranking
COPY retrievers retrievers
COPY simulation simulation

# The same step as on any machine, without the development tools.
RUN make /opt/venv/ready VENV=/opt/venv EXTRAS= TORCH="${TORCH}" \
    TORCH_PIP="${TORCH_INDEX_URL:+--index-url ${TORCH_INDEX_URL}}" \
    && useradd --system --uid 10001 --home-dir /srv/bowerbird bowerbird \
    && install --directory --owner=bowerbird /var/lib/bowerbird

USER 10001
VOLUME /var/lib/bowerbird
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
ENTRYPOINT ["bowerbird", "--config", "configs/container.toml"]
CMD ["serve"]
