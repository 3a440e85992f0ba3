import type { TFunction } from "i18next";

/** A code as it is shown: a patient's own, which the server keeps to itself, is named. */
export function codeText(code: string | null, t: TFunction): string {
  return code ?? t("identify.insCode");
}
