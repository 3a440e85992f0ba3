import { useTranslation } from "react-i18next";

import type { Language } from "../../core/text";
import { chooseLanguage, useLanguage } from "../../i18n";
import styles from "./LanguageSwitch.module.css";

const LANGUAGES: readonly Language[] = ["fr", "en"];

export function LanguageSwitch() {
  const { t } = useTranslation();
  const current = useLanguage();
  return (
    <div className={styles.switch} role="group" aria-label={t("language.label")}>
      {LANGUAGES.map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          title={t(`language.${language}`)}
          aria-label={t(`language.${language}`)}
          aria-pressed={language === current}
          data-testid={`language-${language}`}
          onClick={() => void chooseLanguage(language)}
        >
          {language.toUpperCase()}
        </button>
      ))}
    </div>
  );
}
