# A peer with a bug planted from outside: the peer's own image, and one module beside the peer's. The context is testbed/.
FROM grapevine-peer
COPY planted.py /opt/peer/app/planted.py
ARG BUG
ENV GRAPEVINE_PLANTED=$BUG
ENTRYPOINT ["python", "-m", "planted"]
