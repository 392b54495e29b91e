/**
 * Writes fields as one record of CSV, the way Go reads it: buildx takes most of its values in this form.
 * https://github.com/tonistiigi/go-csvvalue
 */
export function csvRecord(fields: readonly string[]): string {
    return fields.map(csvField).join(",");
}

function csvField(field: string): string {
    return /[",\r\n]/.test(field) || /^\s/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
