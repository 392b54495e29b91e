#!/bin/sh
# Builds the site for two architectures, and pushes it. Needs REPOSITORY, VERSION, both builders and their certificates.
set -eu

tls="cacert=$CERTS/ca.pem,cert=$CERTS/cert.pem,key=$CERTS/key.pem"
docker buildx create --name site --use --driver remote --platform linux/amd64 --driver-opt "$tls" "$AMD64_BUILDER"
docker buildx create --name site --append --driver remote --platform linux/arm64 --driver-opt "$tls" "$ARM64_BUILDER"

docker buildx build \
    --platform linux/amd64,linux/arm64 \
    --tag "$REPOSITORY:$VERSION" \
    --tag "$REPOSITORY:latest" \
    --build-arg "VERSION=$VERSION" \
    --annotation "index:org.opencontainers.image.title=site" \
    --cache-from "type=registry,ref=$REPOSITORY:cache" \
    --cache-to "type=registry,ref=$REPOSITORY:cache,mode=max,ignore-error=true" \
    --provenance=false \
    --push \
    ../../app

docker buildx rm site
