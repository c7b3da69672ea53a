/**
 * Waits: between two looks at a process, or as long as a fault lasts.
 */
export const pause = (millis: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, millis))
