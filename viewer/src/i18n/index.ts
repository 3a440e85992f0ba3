import i18next from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";

import { setApiLanguage } from "../api/client";
import type { Language } from "../core/text";
import en from "./en.json";
import fr from "./fr.json";

const STORAGE_KEY = "sgi.language";

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}

function isLanguage(value: unknown): value is Language {
  return value === "fr" || value === "en";
}

/** The language chosen before, else the first of the browser's that we speak, else French. */
export function initialLanguage(): Language {
  const stored = readStored();
  if (stored) return stored;
  for (const tag of navigator.languages) {
    const language = tag.slice(0, 2).toLowerCase();
    if (isLanguage(language)) return language;
  }
  return "fr";
}

function readStored(): Language | null {
  try {
    const stored = localStorage.getItem(STORAGE_KEY);
    return isLanguage(stored) ? stored : null;
  } catch {
    return null;
  }
}

function apply(language: Language): void {
  document.documentElement.lang = language;
  setApiLanguage(language);
}

export async function startI18n(): Promise<void> {
  const language = initialLanguage();
  apply(language);
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: "fr",
    resources: { fr: { translation: fr }, en: { translation: en } },
    interpolation: { escapeValue: false },
  });
}

export async function chooseLanguage(language: Language): Promise<void> {
  apply(language);
  try {
    localStorage.setItem(STORAGE_KEY, language);
  } catch {
    // A browser that keeps nothing still speaks the language until it is closed.
  }
  await i18next.changeLanguage(language);
}

/** The language in use, for numbers and dates. */
export function useLanguage(): Language {
  const { i18n } = useTranslation();
  return isLanguage(i18n.language) ? i18n.language : "fr";
}
