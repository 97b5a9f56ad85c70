import { useEffect, useState } from 'preact/hooks';
import { apiAddress } from '../server.js';

/** The course of a training, from its events. */
export interface Course {
  readonly epochs: number;
  readonly epoch: number;
  /** Steps and their loss, a mean over the newest batches. */
  readonly steps: readonly (readonly [step: number, loss: number])[];
  /** By epoch: step at its end, losses and accuracies. */
  readonly ends: readonly EpochEnd[];
  readonly imagesPerSecond: number | null;
}

interface EpochEnd {
  readonly step: number;
  readonly epoch: number;
  readonly trainAccuracy: number | null;
  readonly evalLoss: number | null;
  readonly evalAccuracy: number | null;
}

interface Event {
  readonly event?: string;
  readonly epoch?: number;
  readonly batch?: number;
  readonly batches?: number;
  readonly loss?: number;
  readonly trainAccuracy?: number;
  readonly evalLoss?: number | null;
  readonly evalAccuracy?: number | null;
  readonly imagesPerSecond?: number;
  readonly config?: { readonly recipe: { readonly epochs: number } };
}

const nothing: Course = { epochs: 0, epoch: 0, steps: [], ends: [], imagesPerSecond: null };
/** Points that a curve keeps: more would look the same. */
const mostPoints = 2000;

/** The course with one more event. @param batches in an epoch */
function extended(course: Course, event: Event, batches: number): Course {
  if (event.event === 'start') return { ...course, epochs: event.config?.recipe.epochs ?? 0 };
  const { epoch = 1 } = event;
  if (event.event === 'batch') {
    const step = (epoch - 1) * batches + (event.batch ?? 0);
    const steps = [...course.steps, [step, event.loss ?? Number.NaN] as const];
    return { ...course, epoch, steps: steps.length > mostPoints ? steps.filter((_, i) => i % 2 === 0) : steps };
  }
  if (event.event !== 'epoch') return course;
  const { trainAccuracy = null, evalLoss = null, evalAccuracy = null, imagesPerSecond = null } = event;
  const end = { step: epoch * batches, epoch, trainAccuracy, evalLoss, evalAccuracy };
  return { ...course, epoch, ends: [...course.ends, end], imagesPerSecond };
}

/** Follows a training. It is shown a few times a second, however many steps it does. */
export function useCourse(id: string | null, onOver: () => void): Course {
  const [course, setCourse] = useState(nothing);
  useEffect(() => {
    setCourse(nothing);
    if (id === null) return;
    let current = nothing;
    let batches = 1;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const show = () => {
      timer = null;
      setCourse(current);
    };
    const source = new EventSource(apiAddress('trainings/events', { id }));
    source.onopen = () => {
      // After a break the server begins again.
      current = nothing;
    };
    source.onmessage = ({ data }) => {
      const event = JSON.parse(data) as Event;
      batches = event.batches ?? batches;
      current = extended(current, event, batches);
      timer ??= setTimeout(show, 250);
    };
    source.addEventListener('over', () => {
      source.close();
      onOver();
    });
    return () => {
      source.close();
      if (timer !== null) clearTimeout(timer);
    };
  }, [id]);
  return course;
}
