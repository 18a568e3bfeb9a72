# Builds Daybreak on Debian 12 and ships it with git, ssh and gpg beside it.
FROM rust:1.95-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential pkg-config libssl-dev libclang-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --locked --release --bin daybreak

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git gnupg libssl3 openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/daybreak --shell /usr/sbin/nologin daybreak
COPY --from=build /src/target/release/daybreak /usr/local/bin/daybreak
USER daybreak
WORKDIR /var/lib/daybreak
ENV DAYBREAK_DIR=/var/lib/daybreak/house
EXPOSE 8480
ENTRYPOINT ["daybreak"]
CMD ["serve"]
