/**
 * What programs ask of the plugin while they run. These are no functions for users, so they are not in the schema: the
 * plugin has the environment of docker-build, and ends with the operation, which is when everything has to be gone.
 */
export const startToken = "multiarch:index:startBuilders";
export const connectToken = "multiarch:index:connectBuilder";
export const releaseToken = "multiarch:index:releaseBuilder";
