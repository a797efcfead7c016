# syntax=docker/dockerfile:1
#
# One image for every function: FUNCTION_TARGET names the one that a container runs, arguments make it a sluice command:
#
#   docker build -t sluice .
#   docker run -e FUNCTION_TARGET=tool-executor -e DATABASE_URL=… sluice
#   docker run -e DATABASE_URL=… sluice migrate
#
# Pin both bases by digest: --build-arg RUN_IMAGE=node@sha256:…, or a distroless Node 24 (it needs no shell). Their Node should be
# of one version, or the compiled code is of no use. `--target development` makes the image of the dev loop.
# test/cli/build.test.ts makes the same file system without a container engine and starts every function from it.

ARG BUILD_IMAGE=node:24-bookworm-slim
ARG RUN_IMAGE=node:24-bookworm-slim

FROM ${BUILD_IMAGE} AS sources
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# No package's script runs: the build needs none, and the base brings Node.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY --chown=65532:65532 . .

# The dev loop: sources as they are; a changed file restarts the function. Arguments make it a sluice command, as in the image.
FROM sources AS development
ENV SLUICE_HOST=0.0.0.0
USER 65532:65532
ENTRYPOINT ["sh", "-c", "if [ $# -gt 0 ]; then exec node cli/main.ts \"$@\"; fi; exec node --watch-preserve-output --watch functions/$FUNCTION_TARGET/main.ts", "sluice"]

FROM sources AS build
RUN node cli/build.ts /app && npm sbom --omit=dev --omit=optional --sbom-format=cyclonedx > /app/sbom.cdx.json

FROM ${RUN_IMAGE}
# Distroless images have node in /nodejs/bin.
ENV PATH=/usr/local/bin:/usr/bin:/bin:/nodejs/bin \
    NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/.compile-cache \
    SLUICE_HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app /app
# A number, so that runAsNonRoot can be checked. Nothing is written: the root file system may be read-only.
USER 65532:65532
EXPOSE 8080 9464
ENTRYPOINT ["node", "main.js"]
