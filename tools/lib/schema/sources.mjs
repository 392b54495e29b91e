import path from "node:path";
import ts from "typescript";

/** A construct in the sources that the package schema cannot express, with the place where it stands. */
export class SchemaError extends Error {
    /**
     * @param {ts.Node} node where it stands
     * @param {string} reason what is wrong with it, as the rest of a sentence
     */
    constructor(node, reason) {
        const file = node.getSourceFile();
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        super(`${path.relative(process.cwd(), file.fileName)}:${line + 1}: ${reason}`);
        this.name = "SchemaError";
    }
}

const PULUMI = "@pulumi/pulumi";

/**
 * The sources of a package, opened for reading declarations by name.
 *
 * Only relative imports are followed: the schema needs the shape of our own interfaces, and knows the few types of the
 * SDK by name. That makes a run take a second instead of ten, and needs no installed SDK.
 */
export class Sources {
    /** @param {string[]} files absolute paths; what they import is found from there */
    constructor(files) {
        const options = {
            noLib: true,
            types: [],
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.NodeNext,
            moduleResolution: ts.ModuleResolutionKind.NodeNext,
        };
        const host = ts.createCompilerHost(options);
        host.resolveModuleNameLiterals = (literals, importer) =>
            literals.map(({ text }) =>
                text.startsWith(".")
                    ? ts.resolveModuleName(text, importer, options, host)
                    : { resolvedModule: undefined },
            );
        const missing = files.find((file) => !ts.sys.fileExists(file));
        if (missing !== undefined) {
            throw new Error(`${path.relative(process.cwd(), missing)} does not exist`);
        }
        this.program = ts.createProgram(files, options, host);
        this.checker = this.program.getTypeChecker();
    }

    /**
     * Finds a class in a file.
     * @param {string} file absolute path
     * @param {string} name
     * @returns {ts.ClassDeclaration}
     */
    findClass(file, name) {
        const source = this.program.getSourceFile(file);
        const found = source.statements.find((each) => ts.isClassDeclaration(each) && each.name?.text === name);
        if (found === undefined) {
            throw new SchemaError(source, `there is no class "${name}"`);
        }
        return found;
    }

    /**
     * Finds an interface of ours by its name in the sources.
     * @param {ts.EntityName | ts.Expression} name
     * @returns {ts.InterfaceDeclaration}
     */
    findInterface(name) {
        const { declaration } = this.resolve(name);
        if (declaration === undefined || !ts.isInterfaceDeclaration(declaration)) {
            throw new SchemaError(name, `"${name.getText()}" has to be an interface of ours`);
        }
        if (declaration.typeParameters !== undefined) {
            throw new SchemaError(declaration, "an interface with type parameters has no schema");
        }
        return declaration;
    }

    /**
     * Finds what a name in the sources stands for: a declaration of ours, a type of the Pulumi SDK, or, for names
     * that nothing declares, a type of the language itself.
     * @param {ts.EntityName | ts.Expression} name
     * @returns {{ declaration: ts.Declaration } | { pulumi: string } | { builtin: string }}
     */
    resolve(name) {
        const [module, member] = ts.isQualifiedName(name) ? [name.left, name.right] : [name.expression, name.name];
        if (module !== undefined) {
            if (this.importOf(module) !== PULUMI) {
                throw new SchemaError(name, `"${name.getText()}" is not a type of ${PULUMI}`);
            }
            return { pulumi: member.text };
        }
        const symbol = this.checker.getSymbolAtLocation(name);
        if (this.importOf(name) === PULUMI) {
            const specifier = symbol.declarations[0];
            return { pulumi: (specifier.propertyName ?? specifier.name).text };
        }
        if (symbol?.declarations === undefined) {
            return { builtin: name.getText() };
        }
        return { declaration: single(this.follow(symbol), name) };
    }

    /** Returns the package or path that an identifier is imported from, if it is imported. */
    importOf(identifier) {
        const declaration = this.checker.getSymbolAtLocation(identifier)?.declarations?.[0];
        const clause = declaration && ts.findAncestor(declaration, ts.isImportDeclaration);
        return clause?.moduleSpecifier.text;
    }

    /** Follows imports and re-exports to the symbol that declares something. */
    follow(symbol) {
        return symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
    }
}

/** Returns the one declaration of a symbol. Merged ones are refused: their order would depend on that of the files. */
function single(symbol, user) {
    const declarations = symbol.declarations ?? [];
    if (declarations.length === 0) {
        throw new SchemaError(user, `cannot find where "${user.getText().slice(0, 60)}" is declared`);
    }
    if (declarations.length > 1) {
        throw new SchemaError(declarations[1], `"${symbol.name}" is declared more than once`);
    }
    return declarations[0];
}
