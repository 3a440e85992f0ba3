import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { useUnidentified } from "../../api/identification";
import type { Session } from "../../api/types";
import {
  useForgetFilter,
  useSavedFilters,
  useSaveFilter,
  useWorklist,
  useWorklistCounts,
  type SavedFilter,
} from "../../api/worklists";
import { formatClock, formatCount } from "../../core/cases";
import { useLanguage } from "../../i18n";
import { casesPath, followLink, identificationPath } from "../route";
import {
  CheckIcon,
  ClockIcon,
  CloseIcon,
  FilterIcon,
  GlassIcon,
  GroupIcon,
  ListIcon,
  PauseIcon,
  PersonIcon,
  RescanIcon,
  UnknownIcon,
  WarningIcon,
} from "../shell/icons";
import { useNow } from "../shell/useNow";
import { RAIL, type Icons, type ListName } from "./lists";
import styles from "./Rail.module.css";

const COUNT_MS = 10_000;

const ICONS: Icons = {
  mine: PersonIcon,
  group: GroupIcon,
  unassigned: GlassIcon,
  extemporane: ClockIcon,
  late: WarningIcon,
  ready: CheckIcon,
  "to-rescan": RescanIcon,
  "on-hold": PauseIcon,
  open: ListIcon,
  all: ListIcon,
};

interface RailProps {
  readonly session: Session;
  readonly list: ListName;
  readonly words: string;
  readonly onFilter: (filter: SavedFilter) => void;
}

/** Every worklist with how much is on it, and the searches that a person keeps. */
export function Rail(props: RailProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const counts = useWorklistCounts(COUNT_MS);
  const byName = new Map(counts.data?.items.map((item) => [item.name, item]));
  return (
    <nav className={styles.rail} aria-label={t("cases.title")} data-testid="rail">
      {RAIL.map((group) => (
        <ul key={group[0]}>
          {group.map((name) => {
            const Icon = ICONS[name];
            const counted = byName.get(name);
            const waits = (counted?.count ?? 0) > 0;
            return (
              <li key={name}>
                <a
                  href={casesPath(name)}
                  aria-current={name === props.list ? "page" : undefined}
                  onClick={followLink}
                  data-urgent={name === "extemporane" && waits}
                  data-testid={`list-${name}`}
                >
                  <Icon />
                  <span className={styles.name}>{t(`cases.lists.${name}`)}</span>
                  {name === "extemporane" && waits && <OldestClock />}
                  <span className={styles.count} data-none={!waits}>
                    {counted ? formatCount(counted.count, counted.capped, language) : ""}
                  </span>
                </a>
              </li>
            );
          })}
          {group[0] === "extemporane" && props.session.permissions.includes("identify_slides") && (
            <ToIdentify />
          )}
        </ul>
      ))}
      <SavedFilters {...props} />
    </nav>
  );
}

/** How long the oldest frozen section has been here: the patient is on the table. */
function OldestClock() {
  const { t } = useTranslation();
  const now = useNow(1_000);
  const open = useWorklist("extemporane", "", COUNT_MS);
  const began = open.data?.pages[0]?.items
    .flatMap((row) => (row.received_at && !row.held_at ? [row.received_at] : []))
    .sort()[0];
  if (!began) return null;
  return (
    <span className={styles.clock} title={t("cases.oldest")} data-testid="extemporane-clock">
      {formatClock(began, now)}
    </span>
  );
}

function ToIdentify() {
  const { t } = useTranslation();
  const waiting = useUnidentified();
  const language = useLanguage();
  const total = waiting.data?.total ?? 0;
  return (
    <li>
      <a href={identificationPath()} onClick={followLink} data-testid="list-to-identify">
        <UnknownIcon />
        <span className={styles.name}>{t("identify.title")}</span>
        <span className={styles.count} data-none={total === 0}>
          {waiting.data ? formatCount(total, total >= 1000, language) : ""}
        </span>
      </a>
    </li>
  );
}

function SavedFilters(props: RailProps) {
  const { t } = useTranslation();
  const filters = useSavedFilters();
  const forget = useForgetFilter();
  const saved = filters.data?.items ?? [];
  const known = saved.some((each) => each.q === props.words && each.worklist === props.list);
  return (
    <section className={styles.saved}>
      <h2>{t("cases.filters")}</h2>
      {saved.length === 0 && !props.words && <p className={styles.hint}>{t("cases.filtersNone")}</p>}
      <ul>
        {saved.map((filter) => (
          <li key={filter.id} className={styles.filter}>
            <button
              type="button"
              onClick={() => props.onFilter(filter)}
              aria-pressed={filter.q === props.words && filter.worklist === props.list}
              data-testid="saved-filter"
            >
              <FilterIcon />
              <span className={styles.name}>{filter.name}</span>
            </button>
            <button
              type="button"
              className={styles.forget}
              aria-label={t("cases.forgetFilter", { name: filter.name })}
              title={t("cases.forgetFilter", { name: filter.name })}
              onClick={() => forget.mutate(filter.id)}
            >
              <CloseIcon />
            </button>
          </li>
        ))}
      </ul>
      {props.words && !known && <SaveFilter {...props} />}
    </section>
  );
}

function SaveFilter(props: RailProps) {
  const { t } = useTranslation();
  const save = useSaveFilter();
  const [name, setName] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const given = name.trim();
    if (given === "") return;
    save.mutate(
      { name: given, worklist: props.list, q: props.words },
      { onSuccess: () => setName("") },
    );
  };
  return (
    <form className={styles.save} onSubmit={submit}>
      <input
        value={name}
        placeholder={t("cases.filterName")}
        aria-label={t("cases.filterName")}
        maxLength={60}
        onChange={(event) => setName(event.currentTarget.value)}
        data-testid="filter-name"
      />
      <button type="submit" disabled={name.trim() === "" || save.isPending} data-testid="save-filter">
        {t("cases.saveFilter")}
      </button>
    </form>
  );
}
