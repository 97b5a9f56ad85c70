import type { EChartsType } from 'echarts/core';
import { useEffect, useRef } from 'preact/hooks';

/** Options of echarts. Colors named by variables of the style, such as `--blue`, are put in. */
type ChartOption = Readonly<Record<string, unknown>>;

interface ChartProps {
  readonly option: ChartOption;
  /** The picture in words. */
  readonly label: string;
  readonly height?: number;
  /** Called with the index of the series and of the point that was clicked. */
  readonly onPoint?: (series: number, point: number) => void;
}

/** A chart of echarts, which is loaded when the first one is shown. */
export function Chart({ option, label, height = 280, onPoint }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const latest = useRef({ option, onPoint });
  latest.current = { option, onPoint };
  useEffect(() => {
    const element = box.current as HTMLDivElement;
    let ended = false;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const draw = () => chart.current?.setOption(colored(latest.current.option), true);
    const observer = new ResizeObserver(() => chart.current?.resize());
    import('../charts.js').then(({ init }) => {
      if (ended) return;
      chart.current = init(element);
      chart.current.on('click', ({ seriesIndex, dataIndex }) => {
        latest.current.onPoint?.(seriesIndex ?? 0, dataIndex);
      });
      draw();
      observer.observe(element);
    });
    dark.addEventListener('change', draw);
    return () => {
      ended = true;
      dark.removeEventListener('change', draw);
      observer.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption(colored(option), true);
  }, [option]);
  return <div ref={box} class="chart" role="img" aria-label={label} style={{ height: `${height}px` }} />;
}

/** Puts the colors of the page's style in place of their names. */
function colored(option: ChartOption): ChartOption {
  const style = getComputedStyle(document.documentElement);
  const base = {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: '--ink' },
    grid: { left: 56, right: 18, top: 44, bottom: 44 },
    ...option,
  };
  return JSON.parse(
    JSON.stringify(base, (_, value) =>
      typeof value === 'string' && value.startsWith('--') ? style.getPropertyValue(value).trim() : value,
    ),
  );
}

const muted = { color: '--muted', fontSize: 12 };
const rule = { lineStyle: { color: '--rule' } };

/** An axis of numbers. */
export function numberAxis(name: string, more: ChartOption = {}, isVertical = false): ChartOption {
  return {
    type: 'value',
    name,
    nameTextStyle: { ...muted, ...(isVertical && { align: 'left' }) },
    ...(isVertical ? { nameLocation: 'end', nameGap: 14 } : { nameLocation: 'middle', nameGap: 26 }),
    axisLine: rule,
    axisLabel: muted,
    splitLine: { lineStyle: { color: '--grid' } },
    ...more,
  };
}

/** A legend above the chart. */
export const legend: ChartOption = { top: 4, right: 10, itemHeight: 9, textStyle: { color: '--ink', fontSize: 12 } };
