// Package codegen has the one struct of the C# code generator that the docker-build provider describes its schema with.
package codegen

// CSharpPackageInfo says what a generated C# package is like.
type CSharpPackageInfo struct {
	RespectSchemaVersion bool              `json:"respectSchemaVersion,omitempty"`
	PackageReferences    map[string]string `json:"packageReferences,omitempty"`
}
