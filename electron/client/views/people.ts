import type { DeviceId, PersonView, TrustedPerson, UserId } from "#protocol";

/** Everybody in the directory whose records were verified. */
export class People {
  #people: ReadonlyMap<UserId, TrustedPerson> = new Map();
  #userOfDevice: ReadonlyMap<DeviceId, UserId> = new Map();

  /** Adds people, or puts newer records in place of older ones. */
  put(people: readonly TrustedPerson[]): void {
    const byUser = new Map(this.#people);
    const byDevice = new Map(this.#userOfDevice);
    for (const person of people) {
      byUser.set(person.user.userId, person);
      for (const { deviceId } of person.devices) byDevice.set(deviceId, person.user.userId);
      for (const deviceId of person.revoked) byDevice.set(deviceId, person.user.userId);
    }
    this.#people = byUser;
    this.#userOfDevice = byDevice;
  }

  get(userId: UserId): TrustedPerson | undefined {
    return this.#people.get(userId);
  }

  all(): readonly TrustedPerson[] {
    return [...this.#people.values()];
  }

  /** The devices of a person that may be in conversations. */
  addableDevices(userId: UserId): readonly DeviceId[] {
    const person = this.#people.get(userId);
    if (person === undefined || person.suspended) return [];
    return person.devices.map(({ deviceId }) => deviceId);
  }

  /** Whose device this is. */
  ownerOf(deviceId: DeviceId): UserId | undefined {
    return this.#userOfDevice.get(deviceId);
  }

  /** A device's name for the interface; one unknown is shown by the beginning of its id. */
  deviceName(userId: UserId, deviceId: DeviceId): string {
    const devices = this.#people.get(userId)?.devices ?? [];
    const device = devices.find((known) => known.deviceId === deviceId);
    return device?.deviceName ?? deviceId.slice(0, 6);
  }

  /** A person for the interface; somebody unknown is shown by the beginning of their id. */
  view(userId: UserId): PersonView {
    const displayName = this.#people.get(userId)?.user.displayName ?? userId.slice(0, 6);
    return { userId, displayName };
  }
}
