// Package java has the one struct of the Java code generator that the docker-build provider describes its schema with.
package java

// PackageInfo says what a generated Java package is like.
type PackageInfo struct {
	BuildFiles                      string            `json:"buildFiles,omitempty"`
	GradleNexusPublishPluginVersion string            `json:"gradleNexusPublishPluginVersion,omitempty"`
	Dependencies                    map[string]string `json:"dependencies,omitempty"`
}
