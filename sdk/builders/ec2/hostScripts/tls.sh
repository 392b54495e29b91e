#!/bin/bash
# Fetches key and certificates by the role of the instance, into a folder in memory that only root can read.
set -euo pipefail
# shellcheck source=common.sh
. /usr/local/lib/multiarch/common.sh
umask 077

readonly folder=$state/tls

command -v aws >/dev/null || fail "the AWS CLI is missing on this machine image"
endpoint=()
if [ -n "$SSM_ENDPOINT" ]; then
    endpoint=(--endpoint-url "$SSM_ENDPOINT")
fi
rm -rf "$folder"
mkdir -m 0700 "$folder"
material=$(aws ssm get-parameter --region "$REGION" "${endpoint[@]}" --name "$TLS_PARAMETER" --with-decryption \
    --query Parameter.Value --output text) ||
    fail "cannot read the SSM parameter $TLS_PARAMETER: may the role of this instance do so, and its key too?"
# Through a pipe: arguments of a process can be seen by everybody.
printf '%s' "$material" | python3 -c '
import json, os, sys

try:
    material = json.load(sys.stdin)
    for name in ("ca", "cert", "key"):
        if not material[name].startswith("-----BEGIN "):
            raise ValueError
        with open(os.path.join(sys.argv[1], f"{name}.pem"), "w") as file:
            file.write(material[name])
except (AttributeError, KeyError, TypeError, ValueError):
    sys.exit(1)
' "$folder" || fail "the SSM parameter $TLS_PARAMETER has to be a JSON object with ca, cert and key as PEM text"
