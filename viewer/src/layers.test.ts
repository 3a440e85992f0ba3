import { describe, expect, it } from "vitest";

/** Who may import whom: ui ▶ osd | api | i18n ▶ core, and core nothing but itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: ["core"],
  api: ["api", "core"],
  osd: ["osd", "core"],
  i18n: ["i18n", "api", "core"],
  ui: ["ui", "osd", "api", "i18n", "core"],
};

const texts = import.meta.glob<string>("./*/**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});
const sources = Object.entries(texts).filter(([path]) => !path.includes(".test."));

function layerOf(path: string): string {
  return path.split("/")[1] ?? "";
}

/** The layer that `target`, written in the file at `path`, leads into. */
function layerReached(path: string, target: string): string {
  return layerOf(new URL(target, `file:///src/${path}`).pathname.replace("/src/", "./"));
}

describe("layers", () => {
  it("are all there", () => {
    expect(new Set(sources.map(([path]) => layerOf(path)))).toEqual(new Set(Object.keys(ALLOWED)));
  });

  it("import only what lies below them", () => {
    for (const [path, text] of sources) {
      for (const [, target] of text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)) {
        const reached = layerReached(path, target ?? "");
        expect(ALLOWED[layerOf(path)], `${path} imports ${target}`).toContain(reached);
      }
    }
  });

  it("core touches no library and no document", () => {
    for (const [path, text] of sources.filter(([path]) => layerOf(path) === "core")) {
      expect(text, path).not.toMatch(/from "[^.]/);
      expect(text, path).not.toMatch(/\b(?:document|window|navigator)\./);
    }
  });
});
