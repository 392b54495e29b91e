/** What `npx pulumi-multiarch buildkitd-config --help` prints. */
export const helpText = `Usage:
  npx pulumi-multiarch buildkitd-config --volume-size 200GiB --cores 8 [options] > /etc/buildkit/buildkitd.toml
  npx pulumi-multiarch buildkitd-config --unit [options] > /etc/systemd/system/buildkit.service

Prints the recommended configuration of a builder's host, or its systemd unit. Nothing is written, and nothing of this
machine is looked at. docs/builder-host.md says how to set up a host with them.

Options of the configuration:
      --volume-size SIZE     the volume that holds the cache, which BuildKit has for itself: 200GiB or 500GB
      --cores NUMBER         the cores of the host
      --address ADDRESS      where it listens; may be repeated, by default tcp://0.0.0.0:1234 and the local socket
      --tls-dir FOLDER       the folder of ca.pem, cert.pem and key.pem on the host, by default /etc/buildkit/tls
      --insecure             no TLS: whoever reaches a TCP address builds there, and reads what others build
      --network-mode MODE    bridge (the default) or host
      --platform PLATFORM    what it offers; may be repeated, by default what BuildKit finds, emulated ones too
      --max-parallelism N    how many steps run at once, by default one for each core
      --mirror HOST=MIRROR   a mirror that is asked first, such as docker.io=mirror.example.com; may be repeated
      --registry-ca HOST=FILE  the CA of a registry, by its path on the host; may be repeated
      --label NAME=VALUE     a label of the worker; may be repeated
      --runtime PROGRAM      what runs containers, by default the buildkit-runc of the release
      --root FOLDER          the folder of cache and state, by default /var/lib/buildkit

Options of the unit:
      --unit                 prints the unit in place of the configuration
      --program FILE         by default /usr/local/bin/buildkitd
      --config FILE          by default /etc/buildkit/buildkitd.toml
      --stop-seconds N       how long builds may go on when the host shuts down, by default 3600
      --root FOLDER          as above

      --help                 says this
`;
