/**
 * Waits for something that another process or a later turn brings about, with a deadline.
 */
export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  options: { readonly withinMillis?: number } = {}
): Promise<void> => {
  const deadline = performance.now() + (options.withinMillis ?? 10_000)
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`in vain waited until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
