import type { Language } from "./text";

/**
 * A moment as date and time. A scanner that recorded no time zone means the clock on its wall, so such
 * a moment is shown as written; one with an offset is shown in the reader's own time.
 */
export function formatMoment(iso: string, language: Language): string | null {
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(iso);
  const moment = new Date(hasZone ? iso : `${iso}Z`);
  if (Number.isNaN(moment.getTime())) return null;
  return new Intl.DateTimeFormat(language === "en" ? "en-GB" : "fr-FR", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    ...(hasZone ? {} : { timeZone: "UTC" }),
  }).format(moment);
}
