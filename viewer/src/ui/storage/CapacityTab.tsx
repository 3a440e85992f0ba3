import { Loader } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";

import { useActivity, useCapacity, useForecast, type KnownActivity } from "../../api/capacity";
import type { Session } from "../../api/types";
import { activityOf, formOf } from "../../core/capacity";
import { Notice } from "../shell/Notice";
import { ActivityForm } from "./ActivityForm";
import styles from "./CapacityTab.module.css";
import { ForecastSection } from "./ForecastSection";
import { Formula } from "./Formula";
import { Headlines } from "./Headlines";
import { StoredSection } from "./StoredSection";

const TYPING_MS = 300;

export function CapacityTab(props: { readonly session: Session }) {
  const known = useActivity();
  if (known.isPending) return <Loader color="dark.2" size="sm" className={styles.waiting} />;
  if (known.isError && !known.data) {
    return <Notice error={known.error} onRetry={() => void known.refetch()} />;
  }
  return <Capacity known={known.data} session={props.session} />;
}

function Capacity(props: { readonly known: KnownActivity; readonly session: Session }) {
  const { known, session } = props;
  const capacity = useCapacity();
  const [form, setForm] = useState(() => formOf(known.activity));
  const [typed] = useDebouncedValue(form, TYPING_MS);
  const activity = activityOf(typed);
  const forecast = useForecast(activity);

  return (
    <div className={styles.tab} data-testid="capacity">
      <Headlines
        capacity={capacity.data}
        activity={activity}
        forecast={forecast.data}
      />
      <div className={styles.columns}>
        <div className={styles.main}>
          <ForecastSection
            activity={activity}
            forecast={forecast.data}
            error={forecast.error}
            onRetry={() => void forecast.refetch()}
          />
          {activity && forecast.data && <Formula activity={activity} forecast={forecast.data} />}
          {capacity.data && <StoredSection capacity={capacity.data} />}
          {capacity.isError && !capacity.data && (
            <Notice error={capacity.error} onRetry={() => void capacity.refetch()} />
          )}
        </div>
        <ActivityForm
          known={known}
          form={form}
          onChange={setForm}
          mayKeep={session.permissions.includes("change_storage")}
        />
      </div>
    </div>
  );
}
