# Two images: `peer`, one exchange peer, and `grape`, upstream Grape. What builds stays behind in a stage of its own.
# Two more are for the testbed: `saboteur`, which hurts links and disks, and `peer-clocked`, a peer on a wrong clock.

FROM debian:trixie-slim AS python-build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends binutils ca-certificates python3-venv \
 && rm -rf /var/lib/apt/lists/*
# The system's authorities rather than pip's own: a build behind a company's proxy trusts what its machine trusts.
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# The environment is filled from outside, so that no pip is left in it.
RUN python3 -m venv --without-pip /opt/peer && python3 -m venv /opt/pip
COPY requirements/runtime.txt /tmp/
RUN /opt/pip/bin/pip --python /opt/peer/bin/python install --quiet --require-hashes --only-binary :all: -r /tmp/runtime.txt \
 && find /opt/peer -name '*.so' -exec strip --strip-unneeded {} +
COPY pygrenache /opt/peer/app/pygrenache
COPY peer /opt/peer/app/peer
# Compiled here, since the peer may not write there; checked by nobody, since nobody else may either.
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/peer/app

FROM debian:trixie-slim AS peer
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin grapevine \
 && install --directory --owner grapevine --group grapevine --mode 700 /data
COPY --from=python-build /opt/peer /opt/peer
WORKDIR /opt/peer/app
USER 10001
ENV PATH=/opt/peer/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 GRAPEVINE_HOST=0.0.0.0 GRAPEVINE_PORT=4000 GRAPEVINE_DATA=/data
# Identity and ledger: a peer started again on the same volume is the same peer.
VOLUME /data
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --start-interval=250ms CMD ["python", "-m", "peer.health"]
LABEL org.opencontainers.image.title="grapevine-peer" \
      org.opencontainers.image.description="One exchange peer on Grenache" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["python", "-m", "peer"]

# The peer as it is, on a machine whose clock can be set: see libfaketime's manual for what each variable does.
FROM peer AS peer-clocked
USER 0
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libfaketime \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && ln -s /usr/lib/*/faketime/libfaketime.so.1 /usr/local/lib/libfaketime.so
USER 10001
ENV LD_PRELOAD=/usr/local/lib/libfaketime.so FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1 NO_FAKE_STAT=1

FROM debian:trixie-slim AS saboteur
RUN apt-get update \
 && apt-get install --yes --no-install-recommends iptables python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
COPY testbed/saboteur.py testbed/delay.py /opt/saboteur/
LABEL org.opencontainers.image.title="grapevine-saboteur" \
      org.opencontainers.image.description="Hurts the links, clocks and disks of peers under test" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["python3", "-I", "-S", "/opt/saboteur/saboteur.py"]

FROM debian:trixie-slim AS node-build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates nodejs npm \
 && rm -rf /var/lib/apt/lists/*
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
WORKDIR /opt/grape
COPY grape/package.json grape/package-lock.json grape/.npmrc ./
RUN npm ci --omit=dev
COPY grape/*.js ./

FROM debian:trixie-slim AS grape
RUN apt-get update \
 && apt-get install --yes --no-install-recommends nodejs \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin grapevine
COPY --from=node-build /opt/grape /opt/grape
WORKDIR /opt/grape
USER 10001
EXPOSE 20001/udp 30001/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --start-interval=250ms CMD ["node", "health.js"]
LABEL org.opencontainers.image.title="grapevine-grape" \
      org.opencontainers.image.description="Upstream Grape, pinned, with the settings that matter" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["node", "start.js"]
