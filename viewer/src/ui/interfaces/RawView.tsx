import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { fieldName, segmentName } from "../../core/hl7Names";
import { delimitersOf, piecesOf, takeApart } from "../../core/rawMessage";
import { useLanguage } from "../../i18n";
import styles from "./RawView.module.css";

/** A message as it came: field by field with their names, or the plain lines. */
export function RawView(props: { readonly text: string; readonly title: string }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const [plain, setPlain] = useState(false);
  const message = useMemo(() => takeApart(props.text), [props.text]);
  const delimiters = delimitersOf(message);
  return (
    <section className={styles.raw} data-testid="raw">
      <header className={styles.head}>
        <h3>{props.title}</h3>
        <label>
          <input
            type="checkbox"
            checked={plain}
            onChange={(event) => setPlain(event.currentTarget.checked)}
          />
          {t("interfaces.plainLines")}
        </label>
      </header>
      {message.segments.map((segment, index) =>
        plain ? (
          <pre key={index} className={styles.line}>
            <Value value={segment.text} delimiters={`|${delimiters}`} />
          </pre>
        ) : (
          <div key={index} className={styles.segment}>
            <h4>
              {segment.name}
              <span>{segmentName(segment.name, language)}</span>
            </h4>
            <dl>
              {segment.fields.map((field) => (
                <div key={field.path}>
                  <dt>
                    <span className={styles.path}>{field.path}</span>
                    {fieldName(field.path, language)}
                  </dt>
                  <dd>
                    <Value
                      value={field.value}
                      delimiters={/^MSH-[12]$/.test(field.path) ? "" : delimiters}
                    />
                  </dd>
                </div>
              ))}
            </dl>
          </div>
        ),
      )}
      {message.truncated && <p className={styles.more}>{t("interfaces.notWhole")}</p>}
    </section>
  );
}

/** Delimiters stand out, and stay what they are: what is copied is what came. */
function Value(props: { readonly value: string; readonly delimiters: string }) {
  return (
    <>
      {piecesOf(props.value, props.delimiters).map((piece, index) => (
        <span key={index} className={piece.delimiter ? styles.delimiter : undefined}>
          {piece.text}
        </span>
      ))}
    </>
  );
}
