import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useInterfaces, useMessages, type Message, type MessageFilter } from "../../api/interfaces";
import { toneOfOutcome } from "../../core/interfaces";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { followLink, interfacesPath, navigate } from "../route";
import { Notice } from "../shell/Notice";
import { ChangeList } from "./ChangeList";
import styles from "./MessagesTab.module.css";

const NOTHING: MessageFilter = {
  interface: "",
  direction: "",
  outcome: "",
  type: "",
  accession_number: "",
  control_id: "",
};
const OUTCOMES = ["applied", "unchanged", "refused", "sent", "accepted"] as const;

/** What a link to this page narrows it to. */
function askedFor(): MessageFilter {
  const asked = new URLSearchParams(location.search);
  const outcome = OUTCOMES.find((each) => each === asked.get("outcome")) ?? "";
  return { ...NOTHING, interface: asked.get("interface") ?? "", outcome };
}

/** Every message that came or went, and what came of it. */
export function MessagesTab() {
  const { t } = useTranslation();
  const [filter, setFilter] = useState(askedFor);
  const [asked] = useDebouncedValue(filter, 250);
  const interfaces = useInterfaces();
  const messages = useMessages(asked);
  const rows = messages.data?.pages.flatMap((page) => page.items) ?? [];
  const set = (name: keyof MessageFilter, value: string): void =>
    setFilter((known) => ({ ...known, [name]: value }));

  return (
    <>
      <div className={styles.filters} role="search">
        <Choice
          name={t("interfaces.column.interface")}
          value={filter.interface}
          options={interfaces.data?.items.map(({ name }) => [name, name] as const) ?? []}
          onValue={(value) => set("interface", value)}
        />
        <Choice
          name={t("interfaces.column.direction")}
          value={filter.direction}
          options={[
            ["in", t("interfaces.direction.in")],
            ["out", t("interfaces.direction.out")],
          ]}
          onValue={(value) => set("direction", value)}
        />
        <Choice
          name={t("interfaces.column.outcome")}
          value={filter.outcome}
          options={OUTCOMES.map((each) => [each, t(`interfaces.outcome.${each}`)] as const)}
          onValue={(value) => set("outcome", value)}
        />
        {(["type", "accession_number", "control_id"] as const).map((name) => (
          <input
            key={name}
            value={filter[name]}
            placeholder={t(`interfaces.column.${name}`)}
            aria-label={t(`interfaces.column.${name}`)}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => set(name, event.currentTarget.value.trim())}
            data-testid={`filter-${name}`}
          />
        ))}
        {Object.values(filter).some(Boolean) && (
          <Button variant="subtle" color="gray" size="compact-md" onClick={() => setFilter(NOTHING)}>
            {t("interfaces.clear")}
          </Button>
        )}
      </div>
      {messages.isError && !messages.data ? (
        <Notice error={messages.error} onRetry={() => void messages.refetch()} />
      ) : (
        <Table rows={rows} />
      )}
      {messages.isSuccess && rows.length === 0 && (
        <p className={styles.none}>{t("interfaces.noMessages")}</p>
      )}
      {messages.hasNextPage && (
        <div className={styles.more}>
          <Button
            variant="default"
            loading={messages.isFetchingNextPage}
            onClick={() => void messages.fetchNextPage()}
          >
            {t("interfaces.more")}
          </Button>
        </div>
      )}
    </>
  );
}

function Choice(props: {
  readonly name: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly onValue: (value: string) => void;
}) {
  return (
    <select
      value={props.value}
      aria-label={props.name}
      data-set={props.value !== ""}
      onChange={(event) => props.onValue(event.currentTarget.value)}
    >
      <option value="">{props.name}</option>
      {props.options.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}

function Table(props: { readonly rows: readonly Message[] }) {
  const { t } = useTranslation();
  const language = useLanguage();
  if (props.rows.length === 0) return null;
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th className={styles.when}>{t("interfaces.column.received_at")}</th>
          <th className={styles.way}>{t("interfaces.column.direction")}</th>
          <th className={styles.type}>{t("interfaces.column.type")}</th>
          <th className={styles.control}>{t("interfaces.column.control_id")}</th>
          <th className={styles.case}>{t("interfaces.column.accession_number")}</th>
          <th className={styles.outcome}>{t("interfaces.column.outcome")}</th>
          <th>{t("interfaces.column.changes")}</th>
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row) => (
          <tr
            key={row.id}
            data-testid="message-row"
            data-outcome={row.outcome}
            onClick={(event) => {
              const target = event.target as HTMLElement;
              if (!target.closest("a")) navigate(interfacesPath("messages", row.id));
            }}
          >
            <td>{formatMoment(row.received_at, language)}</td>
            <td>
              {t(`interfaces.direction.${row.direction}`)} · {row.interface}
            </td>
            <td>
              <a href={interfacesPath("messages", row.id)} onClick={followLink}>
                {row.type || t("interfaces.unreadable")}
              </a>
            </td>
            <td className={styles.id} title={row.control_id}>
              {row.control_id}
            </td>
            <td className={styles.id}>{row.accession_number ?? ""}</td>
            <td>
              <span className={styles.tone} data-tone={toneOfOutcome(row.outcome)}>
                {t(`interfaces.outcome.${row.outcome}`)}
              </span>
              {row.replay_of && <span className={styles.again}>{t("interfaces.isReplay")}</span>}
              {row.repeats > 0 && (
                <span className={styles.again}>
                  {t("interfaces.repeated", { count: row.repeats })}
                </span>
              )}
            </td>
            <td className={styles.what}>
              {row.error ??
                (row.notice ? (
                  t(`interfaces.notice.${row.notice}`)
                ) : (
                  <ChangeList changes={row.changes} />
                ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
