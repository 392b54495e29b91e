/** What `npx pulumi-multiarch doctor --help` prints. */
export const helpText = `Usage:
  npx pulumi-multiarch doctor --platform linux/arm64 --address tcp://HOST:1234 --ca FILE --cert FILE --key FILE
  npx pulumi-multiarch doctor --file builders.yaml
  pulumi stack output builders --json --show-secrets | npx pulumi-multiarch doctor --file -

Checks builders the way a build does before it begins, all at once, and says for each stage what was found. Nothing is
built, and nothing of them is changed; a builder in a container is started.

One builder:
      --platform PLATFORM     what it is to build
      --address ADDRESS       tcp://, unix://, ssh://, kube-pod:// or docker-container://
      --ca FILE               the CA that signed its certificate
      --cert FILE             the certificate of this side
      --key FILE              the private key of that certificate
      --server-name NAME      the name in its certificate, by default the host of the address
      --insecure              no TLS, as insecure: true in a program
      --docker-context NAME   BuildKit in a container of this Docker context, in place of an address
      --named NAME            a builder of docker buildx, in place of an address

Several builders:
  -f, --file FILE             YAML or JSON; - is the standard input. It holds what a program gives as builders, with
                              endpoints, docker and named, or this under the key builders. In tls each of ca, cert and key
                              is a PEM text or the path of a file, relative to FILE
      --platform PLATFORM     for builders that name none; may be repeated

      --emulation allow       takes builders that are not native
      --timeout SECONDS       for each builder, by default as long as before a build
      --json                  prints one JSON document in place of lines
      --help                  says this

Exit status: 0 when everything is fit, 1 when something is not, 2 for arguments that make no sense.
What each code means: docs/errors.md
`;
