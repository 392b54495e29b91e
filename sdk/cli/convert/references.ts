// In values that become a program, a setting stands as its name between two characters that no argument of a command
// can hold. So a reference can be part of any text, and everything that takes texts apart need not know of it.
const mark = "\0";
const pattern = /\0([^\0]*)\0/g;

/** Stands for the value of a setting or constant of the program, by its name. */
export function reference(name: string): string {
    return `${mark}${name}${mark}`;
}

/** True for a text that is not known before the program runs, or not all of it. */
export function hasReference(text: string): boolean {
    return text.includes(mark);
}

/** The text, and the names it refers to, in their order. Every second item is a name. */
export function splitReferences(text: string): string[] {
    return text.split(pattern);
}

/** The names a text refers to. */
export function referencesIn(text: string): string[] {
    return splitReferences(text).filter((_, index) => index % 2 === 1);
}

/** The text with something else for each reference. */
export function replaceReferences(text: string, replace: (name: string) => string): string {
    return text.replace(pattern, (_, name: string) => replace(name));
}
