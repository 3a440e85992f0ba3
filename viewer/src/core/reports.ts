/** What kind of document a report is, and whether a browser shows it or saves it. */

const NAMES: Readonly<Record<string, string>> = {
  "application/pdf": "PDF",
  "text/plain": "TXT",
  "text/xml": "XML",
  "application/xml": "XML",
  "text/html": "HTML",
  "application/xhtml+xml": "XHTML",
  "image/svg+xml": "SVG",
  "image/jpeg": "JPEG",
  "image/png": "PNG",
  "image/tiff": "TIFF",
  "application/rtf": "RTF",
  "application/zip": "ZIP",
};

const plain = (mediaType: string): string => mediaType.split(";")[0]?.trim().toLowerCase() ?? "";

/** "PDF"; a type that has no short name is told as it is. */
export function kindOfReport(mediaType: string): string {
  return NAMES[plain(mediaType)] ?? plain(mediaType);
}

/** All else is handed out as a file to save: it comes from another system. */
export function isShown(mediaType: string): boolean {
  return ["application/pdf", "text/plain"].includes(plain(mediaType));
}
