//! The tables, as diesel sees them on both engines. The migrations make them; a test compares.
//!
//! Long because it is a table of tables.

diesel::table! {
    tablets (id) {
        id -> Text,
        serial -> Text,
        asset_tag -> Nullable<Text>,
        model -> Nullable<Text>,
        platform -> Text,
        uai -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    authorities (id) {
        id -> Text,
        kind -> Text,
        state -> Text,
        certificate -> Binary,
        key_sealed -> Nullable<Binary>,
        fingerprint -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    links (id) {
        id -> Text,
        token_sha256 -> Text,
        kind -> Text,
        tablet_id -> Nullable<Text>,
        uai -> Nullable<Text>,
        max_uses -> Integer,
        uses -> Integer,
        expires_at -> BigInt,
        created_by -> Text,
        created_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    takeovers (id) {
        id -> Text,
        udid -> Text,
        serial -> Text,
        topic -> Text,
        push_token_sealed -> Binary,
        push_magic_sealed -> Binary,
        unlock_token_sealed -> Nullable<Binary>,
        certificate_sha256 -> Text,
        authority_fingerprint -> Text,
        imported_at -> BigInt,
        imported_by -> Text,
        window_ends_at -> BigInt,
        used_at -> Nullable<BigInt>,
        enrolment_id -> Nullable<Text>,
    }
}

diesel::table! {
    enrolments (id) {
        id -> Text,
        tablet_id -> Nullable<Text>,
        platform -> Text,
        state -> Text,
        kind -> Text,
        supervision -> Text,
        udid -> Nullable<Text>,
        serial -> Nullable<Text>,
        topic -> Nullable<Text>,
        push_token_sealed -> Nullable<Binary>,
        push_magic_sealed -> Nullable<Binary>,
        unlock_token_sealed -> Nullable<Binary>,
        bootstrap_token_sealed -> Nullable<Binary>,
        awaiting_configuration -> Bool,
        os_version -> Nullable<Text>,
        build_version -> Nullable<Text>,
        product_name -> Nullable<Text>,
        access_rights -> Nullable<Integer>,
        link_id -> Nullable<Text>,
        takeover_id -> Nullable<Text>,
        segment_id -> Nullable<Text>,
        reported_token -> Nullable<Text>,
        end_id -> Nullable<Text>,
        created_at -> BigInt,
        authenticated_at -> Nullable<BigInt>,
        token_updated_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        kept_versions -> Nullable<Text>,
    }
}

diesel::table! {
    presence (enrolment_id) {
        enrolment_id -> Text,
        last_seen_at -> BigInt,
    }
}

diesel::table! {
    certificates (sha256) {
        sha256 -> Text,
        enrolment_id -> Text,
        authority_fingerprint -> Text,
        serial_number -> Text,
        state -> Text,
        issued_at -> BigInt,
        not_after -> BigInt,
        first_used_at -> Nullable<BigInt>,
        renewed_from -> Nullable<Text>,
    }
}

diesel::table! {
    challenges (id) {
        id -> Text,
        secret_sha256 -> Text,
        enrolment_id -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
        used_for -> Nullable<Text>,
        certificate -> Nullable<Binary>,
    }
}

diesel::table! {
    incidents (id) {
        id -> Text,
        tablet_id -> Text,
        kind -> Text,
        state -> Text,
        opened_at -> BigInt,
        closed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    warrants (id) {
        id -> Text,
        incident_id -> Text,
        tablet_id -> Text,
        state -> Text,
        opens_at -> BigInt,
        expires_at -> BigInt,
        fixes -> Integer,
        interval_ms -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    erase_orders (id) {
        id -> Text,
        tablet_id -> Text,
        enrolment_id -> Nullable<Text>,
        cause -> Text,
        state -> Text,
        not_before -> BigInt,
        expires_at -> BigInt,
        restitution_id -> Nullable<Text>,
        decision_id -> Nullable<Text>,
        loan_id -> Nullable<Text>,
    }
}

diesel::table! {
    enrolment_ends (id) {
        id -> Text,
        enrolment_id -> Text,
        reason -> Text,
        decided_at -> BigInt,
        decided_by -> Text,
        state -> Text,
    }
}

diesel::table! {
    commands (id) {
        id -> Text,
        enrolment_id -> Text,
        tablet_id -> Text,
        request_type -> Text,
        gate -> Text,
        incident_id -> Nullable<Text>,
        warrant_id -> Nullable<Text>,
        erase_order_id -> Nullable<Text>,
        enrolment_end_id -> Nullable<Text>,
        payload -> Nullable<Binary>,
        priority -> Integer,
        urgent -> Bool,
        state -> Text,
        replaces_key -> Nullable<Text>,
        idempotency_key -> Nullable<Text>,
        queued_at -> BigInt,
        queued_by -> Text,
        not_before -> Nullable<BigInt>,
        expires_at -> Nullable<BigInt>,
        sent_at -> Nullable<BigInt>,
        sent_count -> Integer,
        not_now_at -> Nullable<BigInt>,
        not_now_count -> Integer,
        retry_at -> Nullable<BigInt>,
        answered_at -> Nullable<BigInt>,
        result -> Nullable<Text>,
        error -> Nullable<Text>,
        answer_raw -> Nullable<Binary>,
        pending -> Bool,
    }
}

diesel::table! {
    observations (enrolment_id, kind) {
        enrolment_id -> Text,
        kind -> Text,
        reported_at -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    push_certificates (id) {
        id -> Text,
        topic -> Text,
        chain_pem -> Text,
        key_sealed -> Binary,
        not_after -> BigInt,
        state -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    push_states (enrolment_id) {
        enrolment_id -> Text,
        wanted_at -> Nullable<BigInt>,
        due_at -> Nullable<BigInt>,
        pushed_at -> Nullable<BigInt>,
        attempts -> Integer,
        outcome -> Nullable<Text>,
        token_invalid_since -> Nullable<BigInt>,
        lease_until -> Nullable<BigInt>,
        unanswered -> Integer,
    }
}

diesel::table! {
    jobs (id) {
        id -> Text,
        kind -> Text,
        key -> Nullable<Text>,
        due_at -> BigInt,
        lease_until -> Nullable<BigInt>,
        attempts -> Integer,
        body -> Text,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Text,
        secret_sha256 -> Text,
        name -> Text,
        scope -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        account_id -> Nullable<Text>,
        reach -> Nullable<Text>,
    }
}

diesel::table! {
    orphans (certificate_sha256) {
        certificate_sha256 -> Text,
        udid -> Nullable<Text>,
        serial -> Nullable<Text>,
        authority_fingerprint -> Text,
        first_seen_at -> BigInt,
        last_seen_at -> BigInt,
        sightings -> BigInt,
    }
}

diesel::table! {
    alarms (id) {
        id -> Text,
        kind -> Text,
        subject -> Text,
        tablet_id -> Nullable<Text>,
        enrolment_id -> Nullable<Text>,
        raised_at -> BigInt,
        last_raised_at -> BigInt,
        times -> BigInt,
        detail -> Text,
        settled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit (seq) {
        seq -> BigInt,
        id -> Text,
        at -> BigInt,
        actor -> Text,
        action -> Text,
        tablet_id -> Nullable<Text>,
        enrolment_id -> Nullable<Text>,
        order_ref -> Nullable<Text>,
        reason -> Nullable<Text>,
        detail -> Nullable<Text>,
        salt -> Nullable<Binary>,
        body_digest -> Nullable<Text>,
        seal_number -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit_seals (number) {
        number -> BigInt,
        row_count -> Integer,
        first_seq -> BigInt,
        last_seq -> BigInt,
        root -> Text,
        previous -> Text,
        digest -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    organisations (id) {
        id -> Text,
        kind -> Text,
        name -> Text,
        uai -> Nullable<Text>,
        state -> Text,
        home_use -> Text,
        charter_adopted_on -> Nullable<Text>,
        referent_account_id -> Nullable<Text>,
        wifi_sealed -> Nullable<Binary>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    school_years (label) {
        label -> Text,
        starts_on -> Text,
        ends_on -> Text,
        summer_starts_on -> Text,
        summer_ends_on -> Text,
    }
}

diesel::table! {
    accounts (id) {
        id -> Text,
        organisation_id -> Text,
        login -> Text,
        name -> Text,
        email -> Nullable<Text>,
        state -> Text,
        password_sealed -> Nullable<Binary>,
        totp_sealed -> Nullable<Binary>,
        totp_used_step -> Nullable<BigInt>,
        invitation_sha256 -> Nullable<Text>,
        invitation_expires_at -> Nullable<BigInt>,
        failed_attempts -> Integer,
        locked_until -> Nullable<BigInt>,
        failed_codes -> Integer,
        codes_locked_until -> Nullable<BigInt>,
        created_at -> BigInt,
        closed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    account_makers (id) {
        id -> Text,
        account_id -> Text,
        deed -> Text,
        actor -> Text,
        by_account -> Nullable<Text>,
        at -> BigInt,
    }
}

diesel::table! {
    role_grants (id) {
        id -> Text,
        account_id -> Text,
        role -> Text,
        reach -> Text,
        colleges -> Integer,
        granted_by -> Nullable<Text>,
        granted_at -> BigInt,
        confirmed_by -> Nullable<Text>,
        confirmed_at -> Nullable<BigInt>,
        effective_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        revoked_by -> Nullable<Text>,
    }
}

diesel::table! {
    role_grant_colleges (grant_id, uai) {
        grant_id -> Text,
        uai -> Text,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        account_id -> Text,
        secret_sha256 -> Text,
        created_at -> BigInt,
        last_used_at -> BigInt,
        expires_at -> BigInt,
        stepped_up_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    countersignatures (id) {
        id -> Text,
        purpose -> Text,
        subject -> Text,
        content_sha256 -> Text,
        content -> Nullable<Text>,
        reason -> Nullable<Text>,
        asked_by -> Text,
        asked_at -> BigInt,
        answer_organisation -> Nullable<Text>,
        answer_role -> Text,
        answer_uai -> Nullable<Text>,
        expires_at -> BigInt,
        state -> Text,
        answered_by -> Nullable<Text>,
        answered_at -> Nullable<BigInt>,
        answer_reason -> Nullable<Text>,
        used_at -> Nullable<BigInt>,
        used_for -> Nullable<Text>,
    }
}

diesel::table! {
    campaigns (id) {
        id -> Text,
        uais -> Text,
        starts_on -> Text,
        ends_on -> Text,
        ceiling -> Integer,
        opened_by -> Text,
        countersignature_id -> Text,
        reason -> Text,
        created_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    destructions (id) {
        id -> Text,
        kind -> Text,
        day -> Text,
        at -> BigInt,
        actor -> Text,
        account_id -> Nullable<Text>,
        uai -> Nullable<Text>,
        tablet_id -> Nullable<Text>,
        #[sql_name = "ref"]
        reference -> Text,
        state -> Text,
        countersignature_id -> Nullable<Text>,
        campaign_id -> Nullable<Text>,
    }
}

diesel::table! {
    brake (id) {
        id -> Integer,
        engaged -> Bool,
        since -> Nullable<BigInt>,
        engaged_by -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    privacy_validations (id) {
        id -> Text,
        activity -> Text,
        entry_sha256 -> Text,
        stored -> Text,
        validated_by -> Text,
        validated_at -> BigInt,
        withdrawn_at -> Nullable<BigInt>,
        withdrawn_by -> Nullable<Text>,
    }
}

diesel::table! {
    purges (id) {
        id -> Text,
        class -> Text,
        ran_at -> BigInt,
        older_than -> BigInt,
        removed -> BigInt,
    }
}

diesel::table! {
    settings (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    profile_versions (id) {
        id -> Text,
        layer_kind -> Text,
        layer_name -> Text,
        uai -> Nullable<Text>,
        number -> Integer,
        state -> Text,
        title -> Text,
        content_sealed -> Binary,
        content_sha256 -> Text,
        based_on -> Nullable<Text>,
        author_id -> Text,
        created_at -> BigInt,
        edited_at -> BigInt,
        submitted_at -> Nullable<BigInt>,
        takes_effect_at -> Nullable<BigInt>,
        scheduled_by -> Nullable<Text>,
        rollout_plan -> Nullable<Text>,
        published_at -> Nullable<BigInt>,
        superseded_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        ended_by -> Nullable<Text>,
        ended_reason -> Nullable<Text>,
    }
}

diesel::table! {
    profile_approvals (version_id, organisation_id) {
        version_id -> Text,
        organisation_id -> Text,
        account_id -> Text,
        content_sha256 -> Text,
        approved_at -> BigInt,
        countersignature_id -> Nullable<Text>,
    }
}

diesel::table! {
    rollouts (id) {
        id -> Text,
        version_id -> Text,
        previous_id -> Nullable<Text>,
        plan -> Text,
        state -> Text,
        wave -> Integer,
        wave_since -> BigInt,
        reason -> Nullable<Text>,
        started_by -> Text,
        started_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    emergency_orders (id) {
        id -> Text,
        version_id -> Text,
        uais -> Text,
        starts_on -> Text,
        ends_on -> Text,
        reason -> Text,
        organisation_id -> Text,
        ordered_by -> Text,
        ordered_at -> BigInt,
        renews -> Nullable<Text>,
        ended_at -> Nullable<BigInt>,
        ended_by -> Nullable<Text>,
    }
}

diesel::table! {
    notices_due (id) {
        id -> Text,
        subject -> Text,
        uai -> Nullable<Text>,
        title -> Text,
        due_at -> BigInt,
        told_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    persons (id) {
        id -> Text,
        uai -> Text,
        kind -> Text,
        class -> Nullable<Text>,
        leaves_on -> Nullable<Text>,
        left_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
        arrives_on -> Nullable<Text>,
        guardians -> Integer,
        name_sealed -> Nullable<Binary>,
        contacts_sealed -> Nullable<Binary>,
    }
}

diesel::table! {
    loans (id) {
        id -> Text,
        tablet_id -> Text,
        person_id -> Text,
        holder_kind -> Text,
        uai -> Text,
        school_year -> Text,
        state -> Text,
        suspension -> Nullable<Text>,
        began_at -> BigInt,
        changed_at -> BigInt,
        ended_because -> Nullable<Text>,
        ended_on -> Nullable<Text>,
        ended_reference -> Nullable<Text>,
        handed_over_by -> Text,
        accessories -> Text,
        condition -> Text,
        reserve -> Text,
        reserve_signed_by -> Nullable<Text>,
        deposited_since -> Nullable<BigInt>,
    }
}

diesel::table! {
    restitutions (id) {
        id -> Text,
        tablet_id -> Text,
        loan_id -> Text,
        uai -> Text,
        received_at -> BigInt,
        received_by -> Text,
        accessories -> Text,
        condition -> Text,
        counted_order_id -> Text,
        saved_at -> Nullable<BigInt>,
        saved_by -> Nullable<Text>,
        held_for_check -> Bool,
        stage -> Text,
        order_id -> Nullable<Text>,
        acknowledged_at -> Nullable<BigInt>,
        proof -> Nullable<Text>,
        proof_ref -> Nullable<Text>,
        changed_at -> BigInt,
        loan_stood -> Nullable<Text>,
        loan_suspension -> Nullable<Text>,
        loan_since -> Nullable<BigInt>,
        loan_deposited_since -> Nullable<BigInt>,
    }
}

diesel::table! {
    notices (id) {
        id -> Text,
        loan_id -> Text,
        kind -> Text,
        occasion -> Text,
        channel -> Text,
        state -> Text,
        created_at -> BigInt,
        counted_at -> Nullable<BigInt>,
        counted_by -> Nullable<Text>,
        addressee -> Nullable<Text>,
    }
}

diesel::table! {
    last_decisions (id) {
        id -> Text,
        kind -> Text,
        tablet_id -> Text,
        loan_id -> Nullable<Text>,
        incident_id -> Nullable<Text>,
        reason -> Text,
        begun_at -> BigInt,
        head_by -> Nullable<Text>,
        head_at -> Nullable<BigInt>,
        departement_by -> Nullable<Text>,
        departement_at -> Nullable<BigInt>,
        withdrawn_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    /// What diesel's migrations remember of themselves.
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

diesel::table! {
    apps (id) {
        id -> Text,
        platform -> Text,
        bundle -> Text,
        name -> Text,
        source -> Text,
        store_number -> Nullable<Text>,
        licence -> Text,
        version -> Nullable<Text>,
        updates -> Text,
        configuration -> Nullable<Text>,
        file_sha256 -> Nullable<Text>,
        added_by -> Text,
        added_at -> BigInt,
        withdrawn_by -> Nullable<Text>,
        withdrawn_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    app_files (sha256) {
        sha256 -> Text,
        format -> Text,
        bytes -> BigInt,
        bundle -> Text,
        version -> Text,
        build -> Nullable<Text>,
        uploaded_at -> BigInt,
        released_at -> Nullable<BigInt>,
    }
}

diesel::joinable!(certificates -> enrolments (enrolment_id));
diesel::allow_tables_to_appear_in_same_query!(
    certificates,
    enrolments,
    push_states,
    commands,
    tablets,
    presence,
    brake,
    segments,
    deliveries
);
diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    organisations,
    role_grants,
    role_grant_colleges,
    countersignatures,
    sessions,
    api_tokens
);
// Lists are limited to the collèges that whoever asks reaches.
diesel::allow_tables_to_appear_in_same_query!(organisations, tablets);
diesel::allow_tables_to_appear_in_same_query!(organisations, destructions);
diesel::allow_tables_to_appear_in_same_query!(organisations, alarms);
diesel::allow_tables_to_appear_in_same_query!(organisations, audit);
diesel::allow_tables_to_appear_in_same_query!(tablets, alarms);
diesel::allow_tables_to_appear_in_same_query!(tablets, audit);
// Entries whose seal there is not.
diesel::allow_tables_to_appear_in_same_query!(audit, audit_seals);
diesel::allow_tables_to_appear_in_same_query!(organisations, enrolments);
diesel::allow_tables_to_appear_in_same_query!(organisations, commands);
diesel::allow_tables_to_appear_in_same_query!(organisations, links);
diesel::allow_tables_to_appear_in_same_query!(tablets, links);
// Approvals are read with the organisation that gave them.
diesel::allow_tables_to_appear_in_same_query!(organisations, profile_approvals);

diesel::table! {
    segment_payloads (id) {
        id -> Text,
        signed_sealed -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    segments (id) {
        id -> Text,
        key_sha256 -> Text,
        token -> Text,
        class -> Text,
        plan -> Text,
        payload_sha256 -> Text,
        created_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    segment_layers (segment_id, place) {
        segment_id -> Text,
        place -> Integer,
        version_id -> Text,
    }
}

diesel::table! {
    deliveries (enrolment_id) {
        enrolment_id -> Text,
        known -> Text,
        due_at -> Nullable<BigInt>,
        woken_at -> Nullable<BigInt>,
        updated_at -> BigInt,
    }
}

diesel::table! {
    rule_states (enrolment_id, rule) {
        enrolment_id -> Text,
        rule -> Text,
        state -> Text,
        why -> Nullable<Text>,
        since -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(segments, segment_payloads);
diesel::allow_tables_to_appear_in_same_query!(segments, segment_layers);
diesel::allow_tables_to_appear_in_same_query!(organisations, rule_states);
diesel::allow_tables_to_appear_in_same_query!(rule_states, enrolments);
diesel::allow_tables_to_appear_in_same_query!(rule_states, deliveries);
diesel::allow_tables_to_appear_in_same_query!(rule_states, tablets);
// Files that no app refers to any more.
diesel::allow_tables_to_appear_in_same_query!(apps, app_files);
// Restitutions whose order has ended.
diesel::allow_tables_to_appear_in_same_query!(restitutions, erase_orders);

diesel::table! {
    incident_declarations (id) {
        id -> Text,
        uai -> Text,
        noticed_at -> BigInt,
        declared_at -> BigInt,
        declared_by -> Text,
        circumstances_sealed -> Nullable<Binary>,
        authority_reference -> Nullable<Text>,
        reopens -> Nullable<Text>,
        stage -> Text,
        stage_at -> BigInt,
    }
}

diesel::table! {
    incident_papers (incident_id, paper) {
        incident_id -> Text,
        paper -> Text,
        reference -> Text,
        dated -> Text,
        station -> Nullable<Text>,
        recorded_at -> BigInt,
        recorded_by -> Text,
    }
}

diesel::table! {
    warrant_grants (warrant_id) {
        warrant_id -> Text,
        author -> Text,
        second -> Text,
        reason -> Text,
        validation_id -> Text,
        footing -> Text,
        extends -> Nullable<Text>,
    }
}

diesel::table! {
    position_requests (command_id) {
        command_id -> Text,
        warrant_id -> Text,
        asked_by -> Text,
        reason -> Text,
        asked_at -> BigInt,
        outcome -> Text,
        why -> Nullable<Text>,
        outcome_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    positions (command_id) {
        command_id -> Text,
        incident_id -> Text,
        sealed -> Binary,
        kept_at -> BigInt,
    }
}

diesel::table! {
    lost_modes (tablet_id) {
        tablet_id -> Text,
        incident_id -> Text,
        state -> Text,
        since -> BigInt,
        message -> Nullable<Text>,
        phone -> Nullable<Text>,
        footnote -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(incidents, incident_declarations);
diesel::allow_tables_to_appear_in_same_query!(warrants, warrant_grants);
diesel::allow_tables_to_appear_in_same_query!(warrants, position_requests);
diesel::allow_tables_to_appear_in_same_query!(position_requests, positions);
diesel::allow_tables_to_appear_in_same_query!(warrants, positions);
diesel::allow_tables_to_appear_in_same_query!(commands, warrants);
diesel::allow_tables_to_appear_in_same_query!(organisations, incident_declarations);

diesel::table! {
    layer_suspensions (version_id) {
        version_id -> Text,
        uai -> Text,
        why -> Text,
        suspended_at -> BigInt,
        lifted_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    lists (id) {
        id -> Text,
        uai -> Text,
        school_year -> Text,
        changes -> Integer,
        content_sha256 -> Text,
        state -> Text,
        proposed_by -> Text,
        proposed_at -> BigInt,
        settled_by -> Nullable<Text>,
        settled_at -> Nullable<BigInt>,
        settled_sha256 -> Nullable<Text>,
        validated_by -> Nullable<Text>,
        validated_at -> Nullable<BigInt>,
        validated_sha256 -> Nullable<Text>,
        withdrawn_at -> Nullable<BigInt>,
        scope -> Text,
    }
}

diesel::table! {
    list_changes (id) {
        id -> Text,
        list_id -> Text,
        person_id -> Text,
        step -> Text,
        kind -> Nullable<Text>,
        entry_sealed -> Nullable<Binary>,
        before_sealed -> Nullable<Binary>,
    }
}

diesel::table! {
    agreement_texts (id) {
        id -> Text,
        school_year -> Text,
        number -> Integer,
        title -> Text,
        body -> Text,
        body_sha256 -> Text,
        guardians_needed -> Text,
        published_by -> Text,
        published_at -> BigInt,
    }
}

diesel::table! {
    signatures (id) {
        id -> Text,
        text_id -> Text,
        person_id -> Text,
        signatory -> Text,
        stance -> Text,
        signed_on -> Text,
        evidence_kind -> Text,
        evidence -> Text,
        recorded_by -> Text,
        recorded_at -> BigInt,
    }
}

diesel::table! {
    restrictions (id) {
        id -> Text,
        loan_id -> Text,
        from_day -> Text,
        until_day -> Text,
        recorded_by -> Text,
        recorded_at -> BigInt,
        lifted_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    supervision_exceptions (id) {
        id -> Text,
        tablet_id -> Text,
        reason -> Text,
        granted_by -> Text,
        granted_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    tablet_modes (tablet_id) {
        tablet_id -> Text,
        loan_id -> Text,
        uai -> Text,
        holder_kind -> Text,
        mode -> Text,
        since -> BigInt,
        looked_on -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(lists, list_changes);
diesel::allow_tables_to_appear_in_same_query!(organisations, lists);
// Where the tablets of segments stand.
diesel::allow_tables_to_appear_in_same_query!(tablet_modes, enrolments);
diesel::allow_tables_to_appear_in_same_query!(tablet_modes, tablets);

diesel::table! {
    return_profiles (enrolment_id) {
        enrolment_id -> Text,
        order_id -> Text,
        rendered_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(restitutions, notices);
diesel::allow_tables_to_appear_in_same_query!(restitutions, destructions);
diesel::allow_tables_to_appear_in_same_query!(restitutions, incidents);
diesel::allow_tables_to_appear_in_same_query!(restitutions, organisations);
diesel::allow_tables_to_appear_in_same_query!(loans, persons);
diesel::allow_tables_to_appear_in_same_query!(loans, restitutions);
diesel::allow_tables_to_appear_in_same_query!(loans, organisations);
diesel::allow_tables_to_appear_in_same_query!(persons, restitutions);
diesel::allow_tables_to_appear_in_same_query!(persons, organisations);

diesel::table! {
    position_looks (id) {
        id -> Text,
        command_id -> Text,
        looked_by -> Text,
        reason -> Text,
        looked_at -> BigInt,
    }
}

diesel::table! {
    warrant_notices (warrant_id, occasion) {
        warrant_id -> Text,
        occasion -> Text,
        loan_id -> Nullable<Text>,
        written_at -> BigInt,
        due_at -> BigInt,
        told_at -> Nullable<BigInt>,
        told_how -> Nullable<Text>,
        told_by -> Nullable<Text>,
    }
}

diesel::table! {
    notice_delays (incident_id, recorded_at) {
        incident_id -> Text,
        until -> Text,
        reference -> Text,
        recorded_at -> BigInt,
        recorded_by -> Text,
    }
}

diesel::table! {
    incident_confirmations (incident_id, restored_at) {
        incident_id -> Text,
        restored_at -> BigInt,
        confirmed_by -> Text,
        confirmed_at -> BigInt,
    }
}

diesel::table! {
    warranty_verdicts (incident_id) {
        incident_id -> Text,
        finding -> Text,
        verdict -> Text,
        judged_at -> BigInt,
        judged_by -> Text,
    }
}

diesel::table! {
    supplier_repairs (incident_id) {
        incident_id -> Text,
        reference -> Text,
        exchanged_serial -> Nullable<Text>,
        recorded_at -> BigInt,
        recorded_by -> Text,
    }
}

diesel::table! {
    replacements (incident_id) {
        incident_id -> Text,
        granted -> Bool,
        counterpart -> Nullable<Text>,
        sum_cents -> Nullable<BigInt>,
        fixed_on -> Nullable<Text>,
        paid_on -> Nullable<Text>,
        decided_at -> BigInt,
        decided_by -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(warrants, warrant_notices);
diesel::allow_tables_to_appear_in_same_query!(warrants, incident_declarations);
diesel::allow_tables_to_appear_in_same_query!(warrants, loans);
diesel::allow_tables_to_appear_in_same_query!(warrants, persons);
diesel::allow_tables_to_appear_in_same_query!(warrants, organisations);
diesel::allow_tables_to_appear_in_same_query!(warrant_notices, incident_declarations);
diesel::allow_tables_to_appear_in_same_query!(loans, incident_declarations);
diesel::allow_tables_to_appear_in_same_query!(persons, incident_declarations);
diesel::allow_tables_to_appear_in_same_query!(incidents, lost_modes);
diesel::allow_tables_to_appear_in_same_query!(incidents, incident_confirmations);
diesel::allow_tables_to_appear_in_same_query!(incident_declarations, incident_confirmations);
diesel::allow_tables_to_appear_in_same_query!(organisations, incident_confirmations);
// A replacement that stays at school.
diesel::allow_tables_to_appear_in_same_query!(replacements, incidents);
diesel::allow_tables_to_appear_in_same_query!(replacements, loans);
diesel::allow_tables_to_appear_in_same_query!(incidents, loans);

diesel::table! {
    repairs (id) {
        id -> Text,
        tablet_id -> Text,
        loan_id -> Nullable<Text>,
        loaner_loan_id -> Nullable<Text>,
        uai -> Text,
        reference -> Text,
        state -> Text,
        sent_at -> BigInt,
        sent_by -> Text,
        closed_at -> Nullable<BigInt>,
        closed_by -> Nullable<Text>,
        exchanged_tablet_id -> Nullable<Text>,
        loan_rested -> Bool,
    }
}

diesel::table! {
    transfers (id) {
        id -> Text,
        tablet_id -> Text,
        from_uai -> Text,
        to_uai -> Text,
        reason -> Text,
        state -> Text,
        proposed_at -> BigInt,
        proposed_by -> Text,
        given_at -> Nullable<BigInt>,
        given_by -> Nullable<Text>,
        taken_at -> Nullable<BigInt>,
        taken_by -> Nullable<Text>,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    mails (id) {
        id -> Text,
        token -> Text,
        person_id -> Text,
        addressee -> Text,
        notice_id -> Nullable<Text>,
        warrant_id -> Nullable<Text>,
        occasion -> Nullable<Text>,
        state -> Text,
        created_at -> BigInt,
        due_at -> BigInt,
        lease_until -> Nullable<BigInt>,
        attempts -> Integer,
        handing_at -> Nullable<BigInt>,
        doubts -> Integer,
        reason -> Nullable<Text>,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    loan_years (loan_id, school_year) {
        loan_id -> Text,
        school_year -> Text,
        responsible -> Bool,
        recorded_at -> BigInt,
        recorded_by -> Text,
    }
}

diesel::table! {
    departures (decision_id) {
        decision_id -> Text,
        counted_order_id -> Text,
        order_id -> Nullable<Text>,
        erased_at -> Nullable<BigInt>,
        proof -> Nullable<Text>,
        proof_ref -> Nullable<Text>,
        countersignature_id -> Nullable<Text>,
        let_go_at -> Nullable<BigInt>,
        release_reference -> Nullable<Text>,
        lock_reference -> Nullable<Text>,
        released_at -> Nullable<BigInt>,
        released_by -> Nullable<Text>,
        saved_at -> Nullable<BigInt>,
        saved_by -> Nullable<Text>,
        taken_in_at -> Nullable<BigInt>,
        taken_in_by -> Nullable<Text>,
        taken_in_because -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(organisations, repairs);
diesel::allow_tables_to_appear_in_same_query!(organisations, transfers);
// What an exchange ended is not awaited.
diesel::allow_tables_to_appear_in_same_query!(loans, repairs);
diesel::allow_tables_to_appear_in_same_query!(loans, loan_years);
diesel::allow_tables_to_appear_in_same_query!(persons, repairs);
diesel::allow_tables_to_appear_in_same_query!(restitutions, repairs);
diesel::allow_tables_to_appear_in_same_query!(tablets, last_decisions);
diesel::allow_tables_to_appear_in_same_query!(organisations, last_decisions);
diesel::allow_tables_to_appear_in_same_query!(departures, last_decisions);
diesel::allow_tables_to_appear_in_same_query!(loans, last_decisions);
diesel::allow_tables_to_appear_in_same_query!(persons, last_decisions);
diesel::allow_tables_to_appear_in_same_query!(mails, notices);
diesel::allow_tables_to_appear_in_same_query!(mails, loans);
diesel::allow_tables_to_appear_in_same_query!(loans, notices);
diesel::allow_tables_to_appear_in_same_query!(persons, notices);
diesel::allow_tables_to_appear_in_same_query!(notices, organisations);
diesel::allow_tables_to_appear_in_same_query!(warrant_notices, loans);
diesel::allow_tables_to_appear_in_same_query!(warrant_notices, persons);
diesel::allow_tables_to_appear_in_same_query!(warrant_notices, mails);
diesel::allow_tables_to_appear_in_same_query!(mails, persons);

diesel::table! {
    paper_corrections (incident_id, paper, number) {
        incident_id -> Text,
        paper -> Text,
        number -> BigInt,
        reference -> Nullable<Text>,
        dated -> Nullable<Text>,
        station -> Nullable<Text>,
        reason -> Text,
        corrected_at -> BigInt,
        corrected_by -> Text,
    }
}
diesel::allow_tables_to_appear_in_same_query!(warrant_notices, organisations);

diesel::table! {
    noticed_corrections (incident_id, number) {
        incident_id -> Text,
        number -> BigInt,
        noticed_at -> BigInt,
        reason -> Text,
        corrected_at -> BigInt,
        corrected_by -> Text,
    }
}
