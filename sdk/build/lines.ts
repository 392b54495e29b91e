import { StringDecoder } from "node:string_decoder";

/** Cuts a stream of bytes into lines. A line longer than the limit is handed out in parts. */
export interface LineSplitter {
    /** Takes the next bytes. */
    readonly push: (chunk: Uint8Array) => void;
    /** Hands out what came after the last line break. */
    readonly end: () => void;
}

/** Makes a splitter that hands each line, without its line break, to `onLine`. */
export function createLineSplitter(onLine: (line: string) => void, longestLine = 16 * 1024 * 1024): LineSplitter {
    const decoder = new StringDecoder("utf8");
    let parts: string[] = [];
    let length = 0;

    function flush(): void {
        const line = parts.join("");
        parts = [];
        length = 0;
        onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    }

    function take(text: string): void {
        const pieces = text.split("\n");
        pieces.forEach((piece, position) => {
            if (piece.length > 0) {
                parts.push(piece);
                length += piece.length;
            }
            if (position < pieces.length - 1 || length > longestLine) {
                flush();
            }
        });
    }

    return {
        push: (chunk) => {
            take(decoder.write(Buffer.from(chunk)));
        },
        end: () => {
            take(decoder.end());
            if (length > 0) {
                flush();
            }
        },
    };
}
