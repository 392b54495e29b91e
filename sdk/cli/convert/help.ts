/** What `npx pulumi-multiarch convert --help` prints. */
export const helpText = `Usage:
  npx pulumi-multiarch convert [options] -- docker buildx build [buildx options] PATH
  npx pulumi-multiarch convert [options] --file build.sh
  npx pulumi-multiarch convert [options] --bake docker-bake.hcl [--target app]
  npx pulumi-multiarch convert [options] < build.sh

Turns what builds an image today into a program with a MultiArchImage. Nothing is built. Everything that cannot be
carried over is named with the reason, all at once, and then nothing is written (exit status 1).

Options:
  -l, --language NAME   typescript (the default) or yaml
  -o, --out FILE        writes a file in place of the standard output; paths are then relative to its folder
      --force           replaces that file if it exists
  -f, --file SCRIPT     a shell script with build commands; its variables become settings of the stack
      --bake FILE       a bake file (HCL, JSON or compose), which buildx works out; may be repeated
      --target NAME     a target or group of the bake file; may be repeated, by default the group "default"
      --set VALUE       as for buildx bake, for example app.platform=linux/arm64; may be repeated
      --var VALUE       as for buildx bake, for example TAG=1.4.2; may be repeated
      --help            says this

What becomes of each option of docker buildx build: docs/buildx-options.md
`;
